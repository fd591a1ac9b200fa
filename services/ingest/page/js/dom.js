// Elements out of values. Text becomes text nodes, never HTML; handlers are functions, never attributes.

/**
 * An element.
 * @param {string} tag its name
 * @param {object} properties `class`, `on` ({event: function}), `data` ({name: value}); all else are attributes: true stands
 *   without a value, false, null and undefined are left out
 * @param {...(Node|string|number|null|undefined|Array)} children strings and numbers become text
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === 'data') {
      Object.assign(element.dataset, value);
    } else if (name === 'class') {
      element.className = value;
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  add(element, children);
  return element;
}

/** Appends children, as `h` takes them. */
export function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
}

/** Puts these children in place of what is there. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
}

/** An icon: its path on a field of 24 by 24. */
export function icon(path) {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const shape = document.createElementNS(namespace, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}
