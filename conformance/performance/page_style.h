// How the page looks, in a light and in a dark theme, on wide and on narrow screens.
#pragma once

#include <string_view>

namespace weir::performance {

// Peers of one family share a colour: blue is shm, orange iceoryx, red ZeroMQ, grey the floors.
inline constexpr std::string_view page_style = R"(
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2024; --faint: #5c6670; --line: #d9dee3; --card: #f5f7f9;
  --met: #1a7f4b; --missed: #c62828; --blue: #0b62d6; --sky: #3a8fb7; --orange: #c76a00; --red: #c42d3f;
  --violet: #7a44c8; --green: #2b8a3e; --teal: #0b8484; --brown: #8a5a2b; --pink: #c2357f; --grey: #7b858f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --ink: #e6e9ec; --faint: #9aa5b0; --line: #2d343b; --card: #1d2226;
    --met: #3fb97a; --missed: #ff6b6b; --blue: #5aa6ff; --sky: #74c6e8; --orange: #f0a04b; --red: #ff7b86;
    --violet: #b595f5; --green: #6fcf83; --teal: #4fcfcf; --brown: #c99c6c; --pink: #f286b9; --grey: #929ca6; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
p { margin: .3rem 0; max-width: 60rem; }
.faint { color: var(--faint); }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; padding: .8rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
figure ul { list-style: none; margin: .4rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .15rem .9rem; font-size: .85rem; }
figure li { display: flex; align-items: center; gap: .35rem; }
.plot { display: block; width: 100%; height: auto; }
.plot text { font: 16px system-ui, sans-serif; fill: var(--faint); }
.key { width: 30px; height: 10px; flex: none; }
.grid { stroke: var(--line); stroke-width: 1; }
g path { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
g circle { fill: currentColor; }
.blue { color: var(--blue); } .sky { color: var(--sky); } .orange { color: var(--orange); } .red { color: var(--red); }
.violet { color: var(--violet); } .green { color: var(--green); } .teal { color: var(--teal); }
.brown { color: var(--brown); } .pink { color: var(--pink); } .grey { color: var(--grey); }
.strong path { stroke-width: 4.5; }
.dashed path { stroke-dasharray: 7 4; } .dotted path { stroke-dasharray: 2 4; } .long path { stroke-dasharray: 14 5; } .short path { stroke-dasharray: 2 9; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; }
.met { color: var(--met); font-weight: 600; } .missed { color: var(--missed); font-weight: 600; }
tr.weir td:first-child { color: var(--blue); font-weight: 600; } tr.floor td { color: var(--faint); }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
@media (max-width: 46rem) {
  .plot { overflow: visible; } .plot text { font-size: 20px; }
  .targets thead { display: none; }
  .targets tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .targets td { display: inline-block; border: 0; padding: 0 .7rem 0 0; }
  .targets td:first-child, .targets td:last-child { display: block; }
}
)";

}  // namespace weir::performance
