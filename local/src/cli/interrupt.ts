import { EXIT } from 'synap-recorder/cli';

// npx passes a terminal's Ctrl-C on to a child that has already received it: that is one Ctrl-C, not two.
const SAME_CTRL_C_MS = 100;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `stop` on the first Ctrl-C, SIGTERM or SIGHUP. A second Ctrl-C does not wait for what `stop` has begun. */
export function onInterrupt(stop: () => void): void {
  let stoppingSince: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppingSince === undefined) {
      stoppingSince = performance.now();
      stop();
    } else if (signal === 'SIGINT' && performance.now() - stoppingSince > SAME_CTRL_C_MS)
      process.exit(EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
}
