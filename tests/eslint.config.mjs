// How ESLint reads the page's scripts: `make test` runs it over habn/ui.

import js from "@eslint/js";

// A text of names, each with a value: false for what may only be read.
const names = (text, value) => Object.fromEntries(text.split(" ").map((name) => [name, value]));

const BROWSER =
  "Blob CSS CustomEvent DOMException DataView DecompressionStream File FileReader Image ImageData IntersectionObserver " +
  "MouseEvent MutationObserver Option Response ReadableStream TextDecoder TextEncoder URL URLSearchParams addEventListener atob btoa " +
  "clearTimeout console document fetch getComputedStyle getSelection history innerHeight innerWidth location matchMedia " +
  "navigator performance requestAnimationFrame scrollTo setTimeout window";
const GRADIO = "element props trigger watch";
const SHARED = "LANGUAGE clamp decimals figure fillWords find findAll mark panel part percent say signedFigure tell";
const SITE = "Headers OffscreenCanvas Request Worker caches createImageBitmap postMessage self removeEventListener";

export default [
  js.configs.recommended,
  {
    files: ["habn/ui/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "script", globals: names(`${BROWSER} ${GRADIO} ${SHARED}`, false) },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      complexity: ["error", 12],
      "max-len": ["error", { code: 130, ignoreStrings: true, ignoreTemplateLiterals: true }],
      "no-shadow": "error",
      "no-unused-vars": ["error", { vars: "all" }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  // The site's are modules, which import what they use; worker.js and service_worker.js have no document.
  {
    files: ["habn/ui/site/page/*.js"],
    languageOptions: {
      sourceType: "module",
      globals: { ...names(`${GRADIO} ${SHARED}`, "off"), ...names(SITE, false), onmessage: true },
    },
  },
  // These make the shared names, and these are no parts of the page and get none.
  {
    files: ["part.js", "numbers.js", "link.js", "connection.js", "export/report.js"].map((name) => `habn/ui/${name}`),
    languageOptions: { globals: names(SHARED, "off") },
  },
  { files: ["link.js", "connection.js", "export/report.js"].map((name) => `habn/ui/${name}`), languageOptions: { globals: names(GRADIO, "off") } },
];
