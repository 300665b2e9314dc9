/* exported root, state */
// The one store of the inspector.

const root = find("inspector");

// What is on the screen, `shown`, and what was asked for last, `wanted`: each a run, layer and channel.
const state = {
  labels: [], correspond: true, photo: null, classes: null, strip: null, view: null, shown: null, wanted: null,
  column: "scale", // the one that a phone shows
  isChosen: false, // whether the visitor has picked a quantity in one of the lists
  // In fractions of the picture, so that both keep their place across layers: the cross-hair, and the corner of the part
  // that is shown, 1 / look.zoom wide and high.
  cross: { u: 0.5, v: 0.5, pinned: false },
  corner: { left: 0, top: 0 },
};
