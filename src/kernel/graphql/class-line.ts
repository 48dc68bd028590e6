/** The class and what it extends. */
export function lineOf(target: Function): Function[] {
  const line: Function[] = [];
  // Ends at what has no prototype: the `Function.prototype` of whichever realm made the class, and test runners have two.
  for (let one: unknown = target; typeof one === 'function' && one.prototype !== undefined;) {
    line.push(one);
    one = Object.getPrototypeOf(one);
  }
  return line;
}
