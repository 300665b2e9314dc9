/* exported drawPickedChannel, drawProfile, onChannelNumber, onChannelOrder, onChannelSlider, onMostAdapted, onProfileClick */
/* global PARAMETERS, at, effective, factorsOf, look, pixelUnderCross, rowName, state, summarize, tellLook, want */
// Channels: the picker, and the profile of one parameter over all channels at the pixel under the cross-hair.

const ROOM = 0.08; // of the profile's height, above and below

// The channels of a layer in the order that the visitor chose.
function channelOrder(layer) {
  const { adapted } = state.strip.layers[layer];
  return look.channels === "adapted" ? adapted : adapted.map((_, channel) => channel);
}

function drawPickedChannel() {
  const { layer, channel } = state.wanted;
  const order = channelOrder(layer);
  const { adapted } = state.strip.layers[layer];
  const rank = adapted.indexOf(channel) + 1;
  const last = order.length - 1;
  Object.assign(find("channel-number"), { max: last, value: channel });
  const slider = Object.assign(find("channel-slider"), { max: last, value: order.indexOf(channel) });
  const place = say("channel_place", { channel, rank, count: order.length });
  slider.setAttribute("aria-valuetext", place);
  find("channel-place").textContent = say("channel_rank", { rank, count: order.length });
  find("most-adapted").disabled = channel === adapted[0];
}

function onChannelNumber(event) {
  const channel = Math.round(event.target.valueAsNumber);
  if (Number.isFinite(channel)) want(state.wanted.layer, clamp(channel, 0, Number(event.target.max)));
}

function onChannelSlider(event) {
  want(state.wanted.layer, channelOrder(state.wanted.layer)[event.target.valueAsNumber]);
}

function onMostAdapted() {
  const { layer } = state.wanted;
  want(layer, state.strip.layers[layer].adapted[0]);
}

function onChannelOrder(event) {
  look.channels = event.target.value;
  drawPickedChannel();
  drawProfile();
  tellLook();
}

// Effective parameter k of every channel in both networks, in the order that the visitor chose.
function profileAt(k, index) {
  const { pack, networks } = state.view;
  const order = channelOrder(state.shown.layer);
  return ["first", "second"].map((network) => {
    const s = at(networks[network].context, index);
    return order.map((channel) => effective(factorsOf(pack, network, channel), k, s));
  });
}

function drawProfile(index = pixelUnderCross().index) {
  const parameter = find("profile-parameter").value;
  const [first, second] = profileAt(PARAMETERS.indexOf(parameter), index);
  const place = channelOrder(state.shown.layer).indexOf(state.shown.channel);
  for (const plot of element.querySelectorAll(".plot")) {
    plot.setAttribute("viewBox", `0 0 ${first.length} 1`);
    plot.querySelector(".band").setAttribute("x", place);
  }
  drawDots(first, second);
  drawGaps(first, second);
  sayProfile(parameter, first, second, place);
}

function drawDots(first, second) {
  const { low, high } = summarize([...first, ...second]);
  const y = (value) => 1 - ROOM - (1 - 2 * ROOM) * (high > low ? (value - low) / (high - low) : 0.5);
  const dots = (values) => values.map((value, i) => (Number.isFinite(value) ? `M${i + 0.5} ${y(value)}h0` : "")).join("");
  const [, zero, ...paths] = find("profile-plot").children;
  zero.setAttribute("d", low < 0 && high > 0 ? `M0 ${y(0)}H${first.length}` : "");
  [first, second].forEach((values, i) => paths[i].setAttribute("d", dots(values)));
  find("profile-high").textContent = figure(high);
  find("profile-low").textContent = figure(low);
}

// Second less first, from zero in the middle; of no meaning where the channels do not correspond.
function drawGaps(first, second) {
  find("profile-gap").hidden = !state.correspond;
  const gaps = second.map((value, i) => value - first[i]);
  const reach = Math.max(...gaps.map((gap) => Math.abs(gap) || 0), 1e-30);
  const stems = gaps.map((gap, i) => (Number.isFinite(gap) ? `M${i + 0.5} 0.5V${0.5 - (0.46 * gap) / reach}` : ""));
  find("gap-plot").lastElementChild.setAttribute("d", stems.join(""));
  const name = rowName("difference");
  find("profile-gap-name").textContent = `${name} ±${figure(reach)}`;
  find("gap-plot").setAttribute("aria-label", `${name}: ${figure(Math.min(...gaps))} … ${figure(Math.max(...gaps))}`);
}

function sayProfile(parameter, first, second, place) {
  const extent = (values) => `${figure(Math.min(...values))} … ${figure(Math.max(...values))}`;
  const [a, b] = state.labels;
  const here = { channel: state.shown.channel, a, b, first: figure(first[place]), second: figure(second[place]) };
  find("profile-here").textContent = say("profile_here", here);
  const all = { parameter: say(`term_${parameter}`), count: first.length, a, b, first: extent(first), second: extent(second) };
  find("profile-plot").setAttribute("aria-label", say("profile_summary", all));
}

function onProfileClick(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const order = channelOrder(state.shown.layer);
  const place = Math.floor(((event.clientX - box.left) / box.width) * order.length);
  want(state.shown.layer, order[clamp(place, 0, order.length - 1)]);
}
