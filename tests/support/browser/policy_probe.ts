// Notes whether the page's content security policy lets an inline script run, by which a test sees that the policy is in force.
declare global {
  var hasRunInline: boolean | undefined;
}

const script: HTMLScriptElement = document.createElement("script");
script.textContent = "globalThis.hasRunInline = true";
document.head.append(script);

export {};
