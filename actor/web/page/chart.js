// Rates over the newest episodes as lines.

const WINDOW = 20;
const SHAPE = "http://www.w3.org/2000/svg";

// episodes: [success, helped] as 0 and 1, oldest first. Returns the newest rates, or null without episodes.
export function drawChart(svg, episodes) {
  svg.replaceChildren();
  if (episodes.length === 0) return null;
  const rate = (end, counts) => {
    const part = episodes.slice(Math.max(0, end - WINDOW), end);
    return part.filter(counts).length / part.length;
  };
  const rates = {};
  for (const [name, counts] of [["alone", ([success, helped]) => success && !helped], ["helped", ([, helped]) => helped]]) {
    const points = episodes.map((_, index) => {
      const x = episodes.length === 1 ? 400 : (400 * index) / (episodes.length - 1);
      return `${x.toFixed(1)},${(98 - 96 * rate(index + 1, counts)).toFixed(1)}`;
    });
    const line = document.createElementNS(SHAPE, "polyline");
    line.setAttribute("class", name);
    line.setAttribute("points", [...(points.length === 1 ? [`0,${points[0].split(",")[1]}`] : []), ...points].join(" "));
    svg.append(line);
    rates[name] = rate(episodes.length, counts);
  }
  return rates;
}
