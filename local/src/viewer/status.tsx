const LABELS: Record<string, { label: string; title: string }> = {
  error: { label: 'Failed', title: 'An answer ended with an error' },
  aborted: { label: 'Aborted', title: 'An answer was aborted' },
  abandoned: { label: 'Abandoned', title: 'An answer was never ended by anybody' },
};

/** How an answer ended, unless it ended well. */
export function Status({ status }: { status: string | undefined }) {
  const known = status === undefined ? undefined : LABELS[status];
  if (known === undefined) return null;
  return (
    <span class={`status ${status}`} title={known.title}>
      {known.label}
    </span>
  );
}
