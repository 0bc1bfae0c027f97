/**
 * Lets the event loop turn: whatever needs no clock, and no process but this one, has happened by then. Unlike a time,
 * that does not depend on how fast the machine is.
 */
export async function turns(count = 200): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>(resolve => setImmediate(resolve));
}
