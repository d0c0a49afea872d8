import FoundationEssentials

/// A moment on somebody's calendar and clock, for templates that tell the model what day it is.
public struct ChatDate: Hashable, Sendable {
  /// Counted as people count: January is month 1, the first of a month day 1.
  public let year, month, day, hour, minute, second: Int

  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// Now, by the system's time zone.
  public static var now: ChatDate {
    let parts = Calendar(identifier: .gregorian).dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date())
    return ChatDate(
      year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1,
      hour: parts.hour ?? 0, minute: parts.minute ?? 0, second: parts.second ?? 0)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// Days since the year's first, from 1.
  private var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return (before.indices.contains(month - 1) ? before[month - 1] : 0) + day
      + (isLeap && month > 2 ? 1 : 0)
  }

  /// From 0, Sunday.
  private var weekday: Int {
    let past = year - 1
    return ((past + past / 4 - past / 100 + past / 400 + dayOfYear) % 7 + 7) % 7
  }

  /// The date in a pattern of C's `strftime` in the C locale; what is no code of it stays as it is.
  func formatted(_ pattern: TemplateText) -> TemplateText {
    var result = TemplateText(elements: [])
    var place = 0
    while place < pattern.count {
      let element = pattern.elements[place]
      if element & ~TemplateText.inputMark == 0x25, place + 1 < pattern.count,
        let text = field(Character(TemplateText.scalar(pattern.elements[place + 1])))
      {
        result.elements += text.unicodeScalars.map { $0.value | (element & TemplateText.inputMark) }
        place += 2
      } else {
        result.elements.append(element)
        place += 1
      }
    }
    return result
  }

  private func field(_ code: Character) -> String? {
    func padded(_ value: Int, _ width: Int = 2, _ filling: Character = "0") -> String {
      let digits = String(value)
      return String(repeating: filling, count: max(width - digits.count, 0)) + digits
    }
    func name(_ names: [String], _ index: Int) -> String {
      names.indices.contains(index) ? names[index] : ""
    }
    let halfDayHour = hour % 12 == 0 ? 12 : hour % 12
    return switch code {
    case "Y": padded(year, 4)
    case "y": padded(year % 100)
    case "m": padded(month)
    case "d": padded(day)
    case "e": padded(day, 2, " ")
    case "B": name(Self.months, month - 1)
    case "b", "h": String(name(Self.months, month - 1).prefix(3))
    case "A": name(Self.weekdays, weekday)
    case "a": String(name(Self.weekdays, weekday).prefix(3))
    case "j": padded(dayOfYear, 3)
    case "w": String(weekday)
    case "u": String(weekday == 0 ? 7 : weekday)
    case "H": padded(hour)
    case "I": padded(halfDayHour)
    case "M": padded(minute)
    case "S": padded(second)
    case "p": hour < 12 ? "AM" : "PM"
    case "F": "\(padded(year, 4))-\(padded(month))-\(padded(day))"
    case "T": "\(padded(hour)):\(padded(minute)):\(padded(second))"
    case "R": "\(padded(hour)):\(padded(minute))"
    case "D": "\(padded(month))/\(padded(day))/\(padded(year % 100))"
    case "%": "%"
    default: nil
    }
  }
}
