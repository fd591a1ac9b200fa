// Which turn and which word is heard at a moment. Pure.

/** Turns in the order of their starts, each {start_s, end_s, words}. */
export class Timeline {
  constructor(turns) {
    this.turns = turns;
    // How far any turn up to here reaches: where to stop looking back for one that still lasts.
    let reach = 0;
    this.reach = turns.map((turn) => (reach = Math.max(reach, turn.end_s)));
  }

  /** The indexes of the turns that are heard, in order: two people may speak at once. */
  at(seconds) {
    const heard = [];
    for (let index = lastStarted(this.turns, seconds); index >= 0 && this.reach[index] > seconds; index -= 1) {
      if (this.turns[index].end_s > seconds) heard.unshift(index);
    }
    return heard;
  }

  /** The turn that began last; -1 before the first. */
  begun(seconds) {
    return lastStarted(this.turns, seconds);
  }
}

/** The index of the word that is heard; -1 between words. */
export function wordAt(words, seconds) {
  const index = lastStarted(words, seconds);
  return index >= 0 && words[index].end_s > seconds ? index : -1;
}

function lastStarted(items, seconds) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start_s <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Where the player shows a channel: the operator's above, the customer's below; else as they are recorded. */
export function topToBottom(channels) {
  const place = { operator: 0, customer: 1 };
  return [...channels].sort((one, other) => (place[one.role] ?? one.index) - (place[other.role] ?? other.index));
}
