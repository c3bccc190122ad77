"""The page's style sheet: light and dark, wide and narrow, screen and paper."""

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f7f6f3; --card: #ffffff; --ink: #1d1f21; --soft: #63676b; --rule: #e4e2dc; --grid: #eceae5;
  --policy: #0d7a72; --person: #c26a0a; --baseline: #6d6a8f; --stop: #b3362b; --good: #0d7a72; --bad: #b3362b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131517; --card: #1b1e21; --ink: #eceae6; --soft: #9aa0a6; --rule: #2d3135; --grid: #262a2e;
    --policy: #38c5b6; --person: #f0a848; --baseline: #a9a5d6; --stop: #f0766a; --good: #38c5b6; --bad: #f0766a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1020px; margin: 0 auto; padding: 28px 20px 64px; }
.top {
  display: flex; flex-wrap: wrap; gap: 4px 16px; justify-content: space-between; color: var(--soft);
  font-size: 14px;
}
.top b { color: var(--ink); font-weight: 650; letter-spacing: -0.01em; }
.hero { display: grid; grid-template-columns: 1fr 1fr; gap: 40px; align-items: center; padding: 44px 0 36px; }
.verdict { margin: 0; font-weight: 600; color: var(--soft); }
.verdict.good { color: var(--good); } .verdict.bad { color: var(--bad); }
h1 {
  margin: 2px 0 6px; font-size: clamp(64px, 12vw, 112px); line-height: 1; font-weight: 650;
  letter-spacing: -0.045em;
}
h1 small { font-size: 0.42em; font-weight: 500; letter-spacing: 0; color: var(--soft); margin-left: 0.1em; }
.lead { margin: 0; max-width: 34em; }
.soft, figcaption, .note { color: var(--soft); font-size: 14px; line-height: 1.5; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); margin: 0; border-top: 1px solid var(--rule); }
.tiles div { padding: 16px 16px 16px 0; border-bottom: 1px solid var(--rule); }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; font-size: 25px; font-weight: 600; letter-spacing: -0.02em; line-height: 1.3; }
.tiles dd + dd { font-size: 13px; font-weight: 400; letter-spacing: 0; color: var(--soft); line-height: 1.4; }
h2 { margin: 52px 0 6px; font-size: 22px; font-weight: 650; letter-spacing: -0.02em; }
h2 + .note { margin: 0 0 16px; max-width: 46em; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
figure { margin: 0; min-width: 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 16px 18px; }
.card h3 { margin: 0; font-size: 16px; font-weight: 600; }
figcaption { margin-top: 4px; }
.key {
  display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 2px 0 8px; padding: 0; list-style: none;
  font-size: 13.5px; color: var(--soft);
}
.key li::before {
  content: ""; display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin-right: 7px;
  vertical-align: middle; background: currentColor;
}
.key .policy::before { background: var(--policy); } .key .person::before { background: var(--person); }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font-size: 12px; fill: var(--soft); } .chart .label { font-size: 14px; fill: var(--ink); }
.chart .grid { stroke: var(--grid); } .chart .axis { stroke: var(--rule); }
.chart .track { stroke: var(--grid); stroke-width: 10; stroke-linecap: round; }
.chart .required { stroke: var(--soft); stroke-dasharray: 4 4; stroke-width: 1.3; }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart .whisker { stroke-width: 10; stroke-linecap: round; stroke-opacity: 0.35; }
.chart .median { stroke-width: 1.5; stroke-dasharray: 2 3; }
.chart .area { fill-opacity: 0.16; stroke: none; }
.chart .line.policy, .chart .whisker.policy, .chart .median.policy { stroke: var(--policy); }
.chart .line.person, .chart .whisker.person, .chart .median.person { stroke: var(--person); }
.chart .whisker.baseline { stroke: var(--baseline); }
.chart .area.policy, .chart .dot.policy { fill: var(--policy); }
.chart .area.person, .chart .dot.person { fill: var(--person); }
.chart .dot.baseline { fill: var(--baseline); }
.film img, .views img { display: block; width: 100%; border-radius: 8px; background: #000; }
.film .pair { gap: 0; margin-bottom: 8px; font-weight: 600; font-size: 14px; }
.views { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 16px; margin-top: 16px; }
.views img { image-rendering: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; }
th, td { text-align: left; padding: 8px 16px 8px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
td.n { text-align: right; } th.n { text-align: right; }
td { overflow-wrap: anywhere; }
code, pre { font: 13.5px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre {
  margin: 0; padding: 14px 16px; overflow-x: auto; background: var(--card); border: 1px solid var(--rule);
  border-radius: 12px;
}
details { margin-top: 16px; } summary { cursor: pointer; color: var(--soft); font-size: 14.5px; margin-bottom: 10px; }
@media (max-width: 760px) {
  main { padding: 20px 16px 48px; }
  .hero, .pair { grid-template-columns: minmax(0, 1fr); } .hero { gap: 24px; padding: 30px 0 26px; }
  .film .pair { grid-template-columns: 1fr 1fr; }
  .tiles { grid-template-columns: 1fr 1fr; } h2 { margin-top: 40px; } .card { padding: 14px; }
}
@media print {
  body { background: #fff; } .card, figure { break-inside: avoid; } details > pre { display: none; }
}
"""
