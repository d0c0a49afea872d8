extension Report {
  /// How the page looks, by day and by night; no font, picture or script comes from elsewhere.
  static let style: Markup = """
    :root { color-scheme: light dark; --ink: #1c1e21; --quiet: #667; --paper: #fff; --line: #dcdfe4;
      --tile: #f5f6f8; --first: #1769aa; --second: #c2410c; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --quiet: #9aa2ad; --paper: #16181c;
      --line: #33383f; --tile: #1f2328; --first: #6cb6ff; --second: #ffa657; } }
    * { box-sizing: border-box; }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
      max-width: 1100px; margin: 0 auto; padding: 24px; }
    h1 { font-size: 1.6em; margin: 0; } h2 { font-size: 1.15em; margin: 2em 0 .6em; }
    p { margin: .3em 0; } .quiet { color: var(--quiet); }
    code, pre, td, th { font-variant-numeric: tabular-nums; }
    code, pre { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
    pre { background: var(--tile); border-radius: 6px; padding: 12px; margin: 0; white-space: pre-wrap; }
    .tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
    .tile { background: var(--tile); border-radius: 8px; padding: 10px 16px; }
    .tile b { display: block; font-size: 1.35em; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; }
    th, td { text-align: left; padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line); }
    th { font-weight: 600; color: var(--quiet); } .number { text-align: right; }
    .map td { padding: 0; border: 1px solid var(--paper); width: 24px; height: 18px; }
    .map th { border: 0; padding: 0 8px 0 0; font-weight: 400; }
    .b2 { background: #b3261e; } .b3 { background: #d9622b; } .b4 { background: #e3a02f; }
    .b5 { background: #9fb23c; } .b6 { background: #55a868; } .b7 { background: #3b9c9c; }
    .b8 { background: #3f7fbf; } .b16 { background: #8a919c; }
    .key span { display: inline-block; width: 14px; height: 14px; margin: 0 4px 0 12px;
      vertical-align: -2px; }
    svg { display: block; max-width: 100%; } svg text { fill: var(--quiet); font-size: 12px; }
    .curve { fill: none; stroke: var(--first); stroke-width: 1.5; }
    .grid { stroke: var(--line); } .before { fill: var(--line); }
    .after { fill: none; stroke: var(--first); } .change { fill: var(--second); opacity: .75; }
    .measured { fill: var(--second); } .predicted { fill: none; stroke: var(--second); stroke-width: 1.5; }
    .answers { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin: 8px 0 20px; }
    .answers > :first-child { grid-column: 1 / -1; }
    summary { cursor: pointer; }
    """
}
