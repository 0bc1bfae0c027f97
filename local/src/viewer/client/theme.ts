import { announce, byId } from './markup.js';

const THEMES = ['system', 'light', 'dark'] as const;
const NAMES = { system: 'As the system', light: 'Light', dark: 'Dark' };
const YEAR = 365 * 24 * 60 * 60;

/** The button that goes from the system's colours to light ones to dark ones. The server reads what was chosen. */
export function startTheme(): void {
  byId('theme')?.addEventListener('click', nextTheme);
  label();
}

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length] ?? 'system';
  const root = document.documentElement;
  if (next === 'system') root.removeAttribute('data-theme');
  else root.dataset.theme = next;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `synap_theme=${next}; path=/; max-age=${next === 'system' ? 0 : YEAR}; samesite=strict`;
  label();
  announce(`Colours: ${NAMES[next]}`);
}

function current(): (typeof THEMES)[number] {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

function label(): void {
  const button = byId('theme');
  if (button) button.title = `Colours: ${NAMES[current()]} (t)`;
}
