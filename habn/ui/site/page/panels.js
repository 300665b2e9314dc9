// The page's words and tables about a result, as habn.ui.panels writes them.

import { CHECKPOINTS, CLASSES, PALETTE, TERMS } from "./data.js";
import { decimals, escaped, integer, milliseconds, percent, say, says } from "./words.js";

const ALIKE = 0.01;
const SMALLEST_SHARE = 0.0005;

const sides = ({ first, second }) => [["first", first], ["second", second]];
const pill = (side, label) => `<span class="side ${side}">${escaped(label)}</span>`;

function drawHelp(term, place) {
  const name = `help-${place}-${term}`;
  return `<button type="button" class="help" popovertarget="${name}"><span aria-hidden="true">?</span>`
    + `<span class="unseen">${say("help.explain")} ${say(`help.${term}_term`)}</span></button>`
    + `<span class="help-text" id="${name}" popover>${say(`help.${term}`)}</span>`;
}

export function drawSides(result) {
  const [first, second] = sides(result).map(([side, { label, norm }]) =>
    `<span>${pill(side, label)}${TERMS.includes(norm) ? drawHelp(norm, "sides") : ""}</span>`);
  return `<div class="sides">${first}<span class="hint">${say("compare.drag")}</span>${second}</div>`;
}

// What somebody saw on a view of an example; it holds for a plain painting only.
function seenOn({ pair, painting, photo }) {
  if (!painting) return `compare.seen_${photo.example}_${pair}`;
  const { style, strength, second_style: second, keep_colours: keep } = painting;
  return strength === 1 && !second && !keep ? `compare.seen_${photo.example}_${pair}_${style}` : "";
}

export function drawVerdict(result) {
  const { task, share, first, second } = result;
  const key = share === 0 ? "same" : task === "segmentation" ? "disagree" : "pictures_differ";
  const fields = { share: percent(share), first: escaped(first.label), second: escaped(second.label) };
  const sentences = [say(`compare.${key}`, fields)];
  const [seen, why] = [seenOn(result), `compare.why_${first.norm}_${second.norm}`];
  if (says(seen) && key !== "same") sentences.unshift(say(seen));
  if (says(why)) sentences.push(say(why));
  const [headline, ...rest] = sentences;
  return `<p class="verdict">${headline}</p><p class="why">${rest.join(" ")}</p>`;
}

export function drawRefusal(sentence) {
  return `<p class="verdict" role="alert">${escaped(sentence)} <small>${say("compare.answer_before")}</small></p>`;
}

export function drawFigures(result) {
  const isScored = result.first.meanIou !== null;
  const columns = [...(isScored ? [["iou_here", "iou"]] : []), ["time", "time"], ["parameters", "parameters"]];
  const heads = columns.map(([key, term]) => `<th scope="col">${say(`compare.${key}`)}${drawHelp(term, "figures")}</th>`);
  const rows = sides(result).map(([side, output]) => {
    const score = isScored ? `<td>${percent(output.meanIou)}</td>` : "";
    const { parameters, added } = output;
    const share = added && percent(added / (parameters - added), 2);
    const more = added ? `<small>${say("compare.added", { share, label: escaped(output.label) })}</small>` : "";
    return `<tr><th scope="row">${pill(side, output.label)}</th>${score}<td>${milliseconds(output.seconds)}</td>
      <td>${integer(parameters)}${more}</td></tr>`;
  });
  return `<table class="figures"><thead><tr><th scope="col">${say("compare.network")}</th>${heads.join("")}</tr></thead>
    <tbody>${rows.join("")}</tbody></table>`;
}

export function drawLegend({ task, first, second }) {
  if (task !== "segmentation") return "";
  const seen = CLASSES.map((name, k) => ({ name, k, shares: [first.areas[k], second.areas[k]] }))
    .filter(({ shares }) => Math.max(...shares) >= SMALLEST_SHARE)
    .sort((a, b) => Math.max(...b.shares) - Math.max(...a.shares));
  const cell = (share, side) =>
    `<td>${percent(share)}<span class="bar ${side}" style="width: ${(100 * share).toFixed(1)}%"></span></td>`;
  const rows = seen.map(({ name, k, shares }) =>
    `<tr><th scope="row"><span class="chip" style="background: rgb(${PALETTE[k].join(", ")})"></span>${say(`classes.${name}`)}</th>
      ${cell(shares[0], "first")}${cell(shares[1], "second")}</tr>`);
  return `<table class="legend"><thead><tr><th scope="col">${say("compare.class")}</th>
    <th scope="col">${escaped(first.label)}</th><th scope="col">${escaped(second.label)}</th></tr></thead>
    <tbody>${rows.join("")}</tbody></table><p class="knows">${say("compare.knows", { count: CLASSES.length })}</p>`;
}

export function describePainting({ style, strength, second_style: second, second_share: share, keep_colours: keep }) {
  const parts = [say(`styles.${style}`)];
  if (strength < 1) parts.push(say("painting.described_strength", { share: percent(strength, 0) }));
  if (second && share) {
    parts.push(say("painting.described_second", { share: percent(share, 0), title: say(`styles.${second}`) }));
  }
  if (keep) parts.push(say("painting.described_colours"));
  return parts.join(", ");
}

// What both checkpoints were measured at, by metric.
export function scoresOf({ task, first, second }) {
  const scores = [first, second].map(({ checkpoint }) => CHECKPOINTS[checkpoint].metrics);
  const known = task === "style" ? [["test", ["frechet", "content"]], ["val", ["style", "content"]]] : [["test", ["mean_iou"]]];
  for (const [split, metrics] of known) {
    if (metrics.every((metric) => scores.every((its) => its[split]?.[metric] !== undefined))) {
      return Object.fromEntries(metrics.map((metric) => [metric, scores.map((its) => its[split][metric])]));
    }
  }
  return {};
}

export function drawMeasured(result) {
  const figures = result.task === "style" ? scoresOf(result) : {};
  if (!Object.keys(figures).length) return "";
  const said = Object.entries(figures).map(([metric, values]) => {
    const distances = values.map((value, k) => [value, [result.first, result.second][k].label]);
    const [[near, closer], [far, other]] = distances.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
    const how = far - near < ALIKE * far ? "alike" : "nearer";
    const fields = { near: decimals(near, 3), far: decimals(far, 3), closer, other, metric: say(`painting.metric_${metric}`) };
    return { how, fields };
  });
  const [paintings, photograph] = said;
  const isSame = said.every(({ how }) => how === "nearer") && paintings.fields.closer === photograph.fields.closer;
  const sentence = say("painting.measured", {
    paintings: say(`painting.${paintings.how}_paintings`, paintings.fields),
    photograph: say(`painting.${isSame ? "also_nearer" : photograph.how}_photograph`, photograph.fields),
  });
  return `<p>${escaped(sentence)}${Object.keys(figures).map((metric) => drawHelp(metric, "measured")).join("")}</p>`;
}
