// Elements of the page, found and made.

/** Finds the element of index.html with an id. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id) as T | null;
  if (found === null) throw new Error(`Cannot find an element of the page: id is "${id}"`);
  return found;
}

/** Makes an element with a class and children. Strings become texts, so that nothing a participant writes is read as HTML. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** Makes a button with a label for screen readers, which names its object. */
export function makeButton(text: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make("button", "small", text);
  button.type = "button";
  button.ariaLabel = label;
  button.addEventListener("click", onClick);
  return button;
}

/** Text of an error for the user. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Formats a number of bytes: "1.2 MB". */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
