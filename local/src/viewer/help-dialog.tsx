const KEYS: [keys: string[], what: string][] = [
  [['j', 'k'], 'next, previous conversation or message'],
  [['Enter'], 'open the conversation'],
  [['u'], 'back to the conversations'],
  [['/'], 'search'],
  [['n'], 'show what is new'],
  [['c'], 'copy the conversation as Markdown'],
  [['t'], 'light, dark, or as the system'],
  [['?'], 'this help'],
];

export function HelpDialog() {
  return (
    <dialog id="help" aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div>
            <dt>
              {keys.map(key => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">The arrow keys go through the list of conversations, too.</p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
