// The layer that adapts most: its map over the photo, what the search kept, and the way to it.

function receive() {
  const value = props.value;
  if (!value) return;
  for (const role of ["title", "caption", "kept"]) find(role).textContent = value[role];
  Object.assign(find("map"), { src: value.map.url, alt: value.alt, width: value.size[0], height: value.size[1] });
}

find("look").addEventListener("click", () => {
  const { run, layer, name } = props.value;
  tell("habn-link", { layer: name, channel: null, pixel: null });
  trigger("select", { run, layer });
});

fillWords();
receive();
watch("value", receive);
