// The waveform: operator above, customer below, drawn by wavesurfer.js out of peaks that the server made.

import WaveSurfer from '../vendor/wavesurfer.esm.js';
import { whileBuilding } from './trust.js';

const FULL = 10_000;
const HEIGHT = 44;

/**
 * A waveform in a container, in step with an audio element.
 * @param {number[][]} channels peaks of each channel, from top to bottom, 0 to 10,000
 * @param {string[]} sides of each channel: which colours
 * @returns {function} removes it
 */
export function drawWaveform(container, audio, channels, sides, durationS) {
  const style = getComputedStyle(document.documentElement);
  const colour = (side, part) => style.getPropertyValue(`--${side}-${part}`).trim();
  const options = {
    container,
    media: audio,
    duration: durationS,
    // Full scale is rare on the telephone: the loudest moment of each fills its half.
    peaks: channels.map((peaks) => scaled(peaks)),
    splitChannels: sides.map((side) => ({ waveColor: colour(side, 'wave'), progressColor: colour(side, 'strong') })),
    height: HEIGHT,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    cursorWidth: 2,
    cursorColor: style.getPropertyValue('--text').trim(),
    dragToSeek: true,
    hideScrollbar: true,
    cspNonce: document.querySelector('meta[name="style-nonce"]').content,
  };
  const surfer = whileBuilding(() => WaveSurfer.create(options));
  return () => surfer.destroy();
}

/** Peaks from 0 to 1, the loudest at 1; silence stays silence. */
export function scaled(peaks) {
  const loudest = Math.max(FULL / 100, ...peaks);
  return peaks.map((peak) => peak / loudest);
}
