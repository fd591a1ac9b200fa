// `make page-check`: our modules alone; the library is npm's.
import js from '@eslint/js';

const browser = [
  'addEventListener', 'AbortController', 'clearTimeout', 'crypto', 'cancelAnimationFrame', 'CustomEvent', 'Date', 'dispatchEvent',
  'document', 'Event', 'EventSource', 'EventTarget', 'fetch', 'FormData', 'getComputedStyle', 'getSelection', 'history', 'Intl',
  'localStorage', 'location', 'matchMedia', 'navigator', 'Node', 'removeEventListener', 'requestAnimationFrame', 'scrollTo', 'setTimeout',
  'URLSearchParams', 'XMLHttpRequest',
];

export default [
  js.configs.recommended,
  {
    files: ['js/*.js'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: Object.fromEntries(browser.map((name) => [name, 'readonly'])) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'complexity': ['error', 10],
      'eqeqeq': 'error',
      'max-lines': ['error', 250],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-restricted-properties': ['error', ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'write'].map((property) => ({ property, message: 'text is never HTML' }))],
      'no-shadow': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
];
