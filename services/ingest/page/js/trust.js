// The browser refuses to make HTML out of text (Trusted Types). The waveform's library makes its own skeleton that way:
// only while it does so, and only that, is let pass.

let skeletons = 0;

/** Runs `build`, which may make HTML out of what stands in its code. */
export function whileBuilding(build) {
  skeletons += 1;
  try {
    return build();
  } finally {
    skeletons -= 1;
  }
}

/** To be called once, before anything else. */
export function refuseHtml() {
  globalThis.trustedTypes?.createPolicy('default', {
    createHTML: (text) => (text === '' || skeletons > 0 ? text : null),
  });
}
