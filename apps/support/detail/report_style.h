// The looks of report.html.
#pragma once

namespace deft::support {

/// Its style sheet: one column on a phone, two on a desk, light or dark as the reader's system asks.
inline constexpr const char* report_style = R"(
:root { color-scheme: light dark; --page: #fbfbf9; --text: #1d1f21; --faint: #63686e; --line: #d9dbd8; --card: #fff;
  --mark: #e8f1f8; --hit: 0 114 178; --miss: 213 94 0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #17191b; --text: #e6e6e3; --faint: #a0a5aa; --line: #383c40; --card: #202326; --mark: #203241;
    --hit: 60 150 210; --miss: 230 120 40; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 24px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 40px 0 4px; }
h3 { font-size: 1.05rem; margin: 24px 0 4px; }
p { margin: 4px 0 12px; max-width: 75ch; overflow-wrap: anywhere; }
footer { margin-top: 40px; padding-bottom: 32px; color: var(--faint); font-size: 0.875rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 16px 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.tiles dt, .tiles .note { color: var(--faint); font-size: 0.875rem; }
.tiles dd { margin: 0; }
.tiles .value { font-size: 1.6rem; font-weight: 600; line-height: 1.3; }
.note { color: var(--faint); }
.columns { display: grid; margin: 12px 0; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px 32px; }
figure { margin: 0; }
figcaption { font-size: 0.8125rem; line-height: 1.35; margin-top: 4px; }
.chart img, .picture img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 8px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 16px; }
.wide { grid-column: 1 / -1; overflow-x: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.875rem; line-height: 1.35; }
caption { text-align: left; color: var(--faint); padding-bottom: 4px; }
th { font-weight: 600; text-align: left; }
td, .figures th { text-align: right; }
.figures td { white-space: nowrap; }
td, th { padding: 4px 10px; border-bottom: 1px solid var(--line); vertical-align: bottom; }
.marked { background: var(--mark); font-weight: 600; }
.pairs { width: 100%; }
.pairs th { font-weight: 400; color: var(--faint); white-space: nowrap; vertical-align: top; padding-left: 0; }
.pairs td { text-align: left; overflow-wrap: anywhere; }
.confusion { line-height: 1.2; }
.confusion td, .confusion th { padding: 0; height: 2.6rem; vertical-align: middle; text-align: center;
  border: 1px solid var(--line); }
.confusion td { width: 3.2rem; }
.confusion th { border: 0; padding: 0 6px; }
.confusion tbody th { text-align: right; }
.confusion.long thead span { writing-mode: vertical-rl; transform: rotate(180deg); }
.confusion.long thead th { vertical-align: bottom; padding: 6px 0; }
.confusion .rate { border: 0; color: var(--faint); padding-left: 8px; white-space: nowrap; width: auto; }
.confusion .hit { background: rgb(var(--hit) / var(--share)); }
.confusion .miss { background: rgb(var(--miss) / var(--share)); }
.confusion .full { color: #fff; }
.confusion .none { color: var(--faint); opacity: 0.5; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 16px 12px; }
.worst img { display: block; width: 112px; height: auto; image-rendering: pixelated; border: 1px solid var(--line); }
.worst .found { font-weight: 600; }
@media (max-width: 560px) {
  body { font-size: 15px; }
  td, th { padding: 3px 6px; }
  .epochs td, .epochs th { padding: 3px 2px; }
  table { font-size: 0.6875rem; }
  .epochs thead { font-size: 0.625rem; }
  .wide img { max-width: none; width: 760px; }
  .confusion { width: 100%; table-layout: fixed; font-size: 0.625rem; }
  .confusion td { width: auto; height: 1.9rem; }
  .confusion th { padding: 0 3px; }
  .confusion .name { width: 2.2em; }
  .confusion.long .name { width: 7em; }
  .confusion .rate { display: none; }
  .worst { grid-template-columns: repeat(3, 1fr); }
  .worst img { width: 100%; }
}
)";

}  // namespace deft::support
