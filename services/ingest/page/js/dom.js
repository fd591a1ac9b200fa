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
  const { on = {}, data = {}, class: className, ...attributes } = properties;
  for (const [event, handler] of Object.entries(on)) element.addEventListener(event, handler);
  Object.assign(element.dataset, data);
  if (className !== undefined) element.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    if (!isNothing(value)) element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

const isNothing = (value) => value === false || value === null || value === undefined;

/** Appends children, as `h` takes them. */
export function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (!isNothing(child)) element.append(child instanceof Node ? child : String(child));
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
