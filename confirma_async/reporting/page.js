(() => {
  "use strict";
  const page = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  const NARROW = 560; // pixels: below this, labels are the short ones
  const PRINTED = 660; // pixels of a chart on paper
  const THIN = 2.5; // pixels: bars thinner than this are gathered into longer periods
  const PATTERNED = 12; // pixels: thinner bars cannot show a pattern
  const ROOM = 64; // pixels beyond the longest bar, for the number at its end
  const chosen = new Map(); // the period that the reader chose, by chart
  let printing = false;

  const suited = (plots, width) => plots.find((plot) => plot.bars * THIN <= width - 60) || plots[plots.length - 1];

  function coloured(plot, theme, width) {
    const look = page.themes[theme];
    const wide = plot.bars === 0 || (width - 60) / plot.bars >= PATTERNED;
    return structuredClone(plot.data).map((trace) => {
      const place = trace.meta.place;
      trace.marker.color = place < 0 ? look.alarm : look.series[place];
      trace.marker.line = { color: look.page, width: wide ? 1 : 0 };
      if (!wide) delete trace.marker.pattern;
      else trace.marker.pattern = { ...trace.marker.pattern, fillmode: "overlay", fgcolor: look.page };
      return trace;
    });
  }

  function draw(place) {
    const plots = page.charts[place.dataset.chart];
    const width = printing ? PRINTED : place.clientWidth;
    const plot = plots.find((one) => one.label === chosen.get(place)) || suited(plots, width);
    const theme = dark.matches && !printing ? "dark" : "light";
    const layout = structuredClone(plot.layout);
    layout.template = page.themes[theme].template;
    layout.width = width;
    layout.dragmode = coarse ? false : "zoom"; // a finger on a chart scrolls the page
    layout.xaxis.fixedrange = coarse || plot.bars === 0;
    layout.yaxis.fixedrange = true;
    const narrow = width < NARROW;
    if (narrow) layout.xaxis.nticks = 5;
    if (plot.short) {
      if (narrow) layout.yaxis.ticktext = plot.short;
      layout.xaxis.range = [0, plot.longest * (1 + ROOM / (width * (narrow ? 0.5 : 0.75)))];
    }
    Plotly.newPlot(place, coloured(plot, theme, width), layout, {
      displaylogo: false,
      displayModeBar: coarse || plot.bars === 0 ? false : "hover",
      modeBarButtons: [["resetScale2d", "toImage"]],
    });
    for (const button of place.parentElement.querySelectorAll(".periods button")) {
      button.setAttribute("aria-pressed", String(button.dataset.period === plot.label));
    }
  }

  const places = [...document.querySelectorAll(".plot")];
  const drawAll = () => places.forEach(draw);

  for (const button of document.querySelectorAll(".periods button")) {
    const place = button.closest("figure").querySelector(".plot");
    button.addEventListener("click", () => {
      chosen.set(place, button.dataset.period);
      draw(place);
    });
  }
  let width = document.documentElement.clientWidth;
  let waiting = 0;
  window.addEventListener("resize", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => {
      if (printing || width === document.documentElement.clientWidth) return;
      width = document.documentElement.clientWidth;
      drawAll();
    }, 150);
  });
  dark.addEventListener("change", () => { if (!printing) drawAll(); });
  window.addEventListener("beforeprint", () => { printing = true; drawAll(); });
  window.addEventListener("afterprint", () => { printing = false; drawAll(); });
  drawAll();
  document.documentElement.dataset.drawn = "true";
})();
