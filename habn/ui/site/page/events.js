// Which event calls which answer, as Gradio's front end does it: inputs are values of components, results their updates.

// An answer returns a list of results, one for each output, or SKIP: as a result, it leaves a component as it is. An
// Update changes more of a component than its value.
export const SKIP = Symbol("skip");
export class Update {
  constructor(changes) {
    Object.assign(this, changes);
  }
}

export function connect(components, events, answers, onFailure) {
  const running = new Map(); // id of an event to whether it is to run again

  async function run(event, data) {
    if (running.has(event.id)) {
      if (event.mode === "always_last") running.set(event.id, true);
      if (event.mode !== "multiple") return;
    }
    running.set(event.id, false);
    try {
      await answer(event, data);
    } catch (error) {
      onFailure(error);
    } finally {
      const again = running.get(event.id);
      running.delete(event.id);
      if (again) run(event, data);
    }
  }

  async function answer(event, data) {
    const inputs = event.inputs.map((id) => components.get(id)?.value);
    if (event.script) {
      new Function(`return (${event.script})`)()(...inputs);
      return;
    }
    const make = answers[event.answer];
    if (!make) throw new Error(`The site has no answer for ${event.answer}.`);
    const outputs = event.outputs.map((id) => components.get(id));
    take(outputs, await make(inputs, data));
    for (const next of events) if (next.after === event.id) await run(next);
  }

  function take(outputs, results) {
    if (results === SKIP || results === undefined) return;
    outputs.forEach((component, i) => {
      const result = results[i];
      if (!component || result === SKIP || result === undefined) return; // a component may have been left out
      const update = result instanceof Update ? { ...result } : { value: result };
      component.set(update);
      if ("value" in update) component.on("change");
    });
  }

  function fire(id, name, data) {
    return Promise.all(events.filter(({ on }) => on.some(([from, type]) => from === id && type === name))
      .map((event) => run(event, data)));
  }

  for (const [id, component] of components) component.on = (name, data) => fire(id, name, data);
  return fire;
}
