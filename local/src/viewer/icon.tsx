const PATHS = {
  brand:
    'M4 5.5A2.5 2.5 0 0 1 6.5 3h7A2.5 2.5 0 0 1 16 5.5v5a2.5 2.5 0 0 1-2.5 2.5H9l-3.5 3.5V13A2 2 0 0 1 4 11zM7.5 7h5M7.5 9.75h3',
  keyboard: 'M3 5.5h14v9H3zM6 8.5h.01M9 8.5h.01M12 8.5h.01M14.5 8.5h.01M6.5 11.5h7',
  theme: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  search: 'M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM12.8 12.8 16.5 16.5',
  copy: 'M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3',
  download: 'M10 3.5v9M6.5 9.5 10 13l3.5-3.5M4 16.5h12',
  file: 'M6 3.5h5l3.5 3.5v9.5H6zM11 3.5V7h3.5',
  tool: 'M12.5 4a3.5 3.5 0 0 0-3.4 4.4L4 13.5 6.5 16l5.1-5.1A3.5 3.5 0 0 0 16 6.5l-2 2-2.5-2.5 2-2z',
  braces: 'M8 4c-2 0-2 1-2 3s0 3-2 3c2 0 2 1 2 3s0 3 2 3M12 4c2 0 2 1 2 3s0 3 2 3c-2 0-2 1-2 3s0 3-2 3',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  down: 'M10 4v11M5.5 10.5 10 15l4.5-4.5',
  up: 'M10 16V5M5.5 9.5 10 5l4.5 4.5',
} as const;

/** A small line drawing, hidden from screen readers: the text or label beside it says the same. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" />
    </svg>
  );
}
