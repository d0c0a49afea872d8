import Glibc

/// A colour in OKLab, where equal distances look about equally different.
///
/// Source: B. Ottosson, "A perceptual color space for image processing", 2020.
public struct OKLab: Hashable, Sendable {
  /// 0 is black, 1 is white.
  public var lightness: Float
  /// Green (negative) to red.
  public var a: Float
  /// Blue (negative) to yellow.
  public var b: Float

  public init(lightness: Float, a: Float, b: Float) {
    self.lightness = lightness
    self.a = a
    self.b = b
  }

  /// The colour of three sRGB components.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    let (r, g, b) = (linear(red), linear(green), linear(blue))
    let l = cbrtf(0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_993 * b)
    let m = cbrtf(0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b)
    let s = cbrtf(0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b)
    lightness = 0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s
    a = 1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s
    self.b = 0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s
  }

  /// The nearest sRGB colour; components outside of sRGB are clamped.
  public var color: Color {
    let l = cubed(lightness + 0.396_337_78 * a + 0.215_803_76 * b)
    let m = cubed(lightness - 0.105_561_346 * a - 0.063_854_17 * b)
    let s = cubed(lightness - 0.089_484_18 * a - 1.291_485_5 * b)
    return .rgb(
      companded(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_93 * s),
      companded(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s),
      companded(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s))
  }

  /// The colour a `fraction` (0 to 1) of the way to `other`, as for a gradient.
  public func mixed(with other: OKLab, fraction: Float) -> OKLab {
    OKLab(
      lightness: lightness + (other.lightness - lightness) * fraction,
      a: a + (other.a - a) * fraction, b: b + (other.b - b) * fraction)
  }

  /// The square of the distance, for comparing distances.
  func squaredDistance(to other: OKLab) -> Float {
    let (dl, da, db) = (lightness - other.lightness, a - other.a, b - other.b)
    return dl * dl + da * da + db * db
  }
}

private func linear(_ component: UInt8) -> Float {
  let value = Float(component) / 255
  return value <= 0.04045 ? value / 12.92 : powf((value + 0.055) / 1.055, 2.4)
}

private func companded(_ value: Float) -> UInt8 {
  let srgb = value <= 0.003_130_8 ? value * 12.92 : 1.055 * powf(value, 1 / 2.4) - 0.055
  return UInt8((min(max(srgb, 0), 1) * 255).rounded())
}

private func cubed(_ value: Float) -> Float { value * value * value }
