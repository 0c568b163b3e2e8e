// The checkout: prices follow a change of country, postal code or way to deliver by themselves.
// Without this file the button beside them does the same.
"use strict";

const form = document.getElementById("checkout");
if (form) {
  const decisive = [
    "shipping_method",
    "store_credit",
    "shipping_address.country",
    "shipping_address.region",
    "shipping_address.postal_code",
  ];
  const wanted = ["line1", "postal_code", "city", "country"];
  // Not `form.action`, which is the button of that name.
  const address = form.getAttribute("action");
  let asked = 0;

  const swap = (page) => {
    const focused = document.activeElement && document.activeElement.id;
    for (const part of form.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || part.isEqualNode(fresh)) continue;
      if (part.open) fresh.open = true;
      part.replaceWith(fresh);
    }
    // Who comes for the goods gives a name alone.
    const pickup = document.getElementById("delivery").hasAttribute("data-pickup");
    for (const name of wanted) {
      const field = form.elements.namedItem(`shipping_address.${name}`);
      if (field) field.required = !pickup;
    }
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  };

  form.addEventListener("change", async (event) => {
    if (!decisive.includes(event.target.name)) return;
    const number = (asked += 1);
    const typed = new URLSearchParams(new FormData(form));
    typed.set("action", "update");
    // A code may be half typed.
    typed.delete("code");
    typed.delete("gift_card");
    try {
      const answer = await fetch(address, { method: "POST", body: typed });
      const text = await answer.text();
      // A later change has asked again.
      if (answer.ok && !answer.redirected && number === asked) {
        swap(new DOMParser().parseFromString(text, "text/html"));
      }
    } catch {
      // The button is still there.
    }
  });
}
