// In the place of the page's callbacks: each answer has a callback's name, takes its inputs, and returns its outputs.

import { compareAnswers } from "./compare.js";
import { experimentAnswers } from "./experiment.js";
import { exportAnswers } from "./export.js";
import { learnAnswers } from "./learn.js";
import { language } from "./words.js";

// They are large, so they come when their tab is opened.
async function onResults() {
  const place = document.querySelector(".results");
  await new Promise((resolve) => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) resolve(observer.disconnect());
    });
    observer.observe(place);
  });
  return [await (await fetch(new URL(`results.${language}.html`, import.meta.url))).text()];
}

export const answers = {
  ...compareAnswers,
  ...experimentAnswers,
  ...learnAnswers,
  ...exportAnswers,
  "habn.ui.results.on_load": onResults,
};
