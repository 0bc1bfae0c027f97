/**
 * What many share that belong to one owner, such as the handlers of a recorder.
 *
 * @returns gives each owner a value of its own, made when it is first asked for; it goes with its owner
 */
export function onePer<T extends object>(make: () => T): (owner: object) => T {
  const values = new WeakMap<object, T>();
  return owner => {
    const value = values.get(owner) ?? make();
    values.set(owner, value);
    return value;
  };
}
