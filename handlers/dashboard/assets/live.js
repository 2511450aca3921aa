// Loads the page again when something happened, and leaves it alone while
// somebody selects text, writes into a field or has opened a question.
(() => {
  "use strict";
  const pause = 1000; // milliseconds in which what happens is one change
  let waiting = false;

  const busy = () => {
    const at = document.activeElement;
    return document.hidden || !getSelection().isCollapsed ||
      at && at.matches("input, select, textarea") || document.querySelector("main details.confirm[open]");
  };

  const load = async () => {
    if (busy()) {
      setTimeout(load, pause);
      return;
    }
    waiting = false;
    try {
      const answer = await fetch(location.href, { redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok || !page.querySelector("header nav") || busy()) {
        throw new Error("not the page");
      }
      for (const part of ["header nav", "main"]) {
        document.querySelector(part).replaceWith(page.querySelector(part));
      }
    } catch {
      soon(); // hookd restarts, or the session ended, which the events tell
    }
  };

  const soon = () => {
    if (!waiting) {
      waiting = true;
      setTimeout(load, pause);
    }
  };

  const events = new EventSource("/dashboard/events");
  for (const kind of ["delivery", "job", "visible", "reset"]) {
    events.addEventListener(kind, soon);
  }
  let opened = false;
  events.addEventListener("open", () => {
    if (opened) { // again: nobody told what happened meanwhile
      soon();
    }
    opened = true;
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) { // refused for good
      setTimeout(() => location.reload(), 30 * pause);
    }
  });
})();
