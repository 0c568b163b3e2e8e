// Suggestions below the search field of the header, as the last word is typed. An ARIA combobox:
// the field keeps the focus, arrows choose, Enter follows, Escape closes. Without this script the
// form just searches.
(() => {
  const input = document.querySelector("form.search input[type=search]");
  if (!input) return;
  const form = input.form;
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  const status = document.createElement("p");
  status.className = "vh";
  status.setAttribute("role", "status");
  form.append(list, status);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": list.id,
  }))
    input.setAttribute(name, value);

  let timer;
  let asking;
  let chosen = -1;

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const choose = (index) => {
    const options = [...list.children];
    chosen = (index + options.length + 1) % (options.length + 1);
    // One place past the last is the field itself.
    options.forEach((option, place) =>
      option.setAttribute("aria-selected", String(place === chosen)),
    );
    const option = options[chosen];
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      chosen = -1;
      input.removeAttribute("aria-activedescendant");
    }
  };

  const text = (tag, words, name) => {
    const element = document.createElement(tag);
    element.textContent = words;
    if (name) element.className = name;
    return element;
  };

  const price = (product) => {
    if (!product.price) return "";
    const { amount, currency } = product.price;
    const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
    const parts = new Intl.NumberFormat("en", style).formatToParts(amount);
    // As the pages write it: the amount, then the sign.
    const written = `${amount}\u00a0${parts.find((part) => part.type === "currency").value}`;
    return product.price_varies ? `from ${written}` : written;
  };

  const option = (href, ...parts) => {
    const item = document.createElement("li");
    item.id = `suggestion-${list.children.length}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.dataset.href = href;
    item.append(...parts);
    list.append(item);
  };

  const show = (found) => {
    list.replaceChildren();
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    for (const words of found.words)
      option(`${form.action}?search=${encodeURIComponent(words)}`, text("span", words));
    for (const category of found.categories)
      option(`/categories/${category.slug}`, text("span", category.name), text("small", "Category"));
    for (const product of found.products) {
      const parts = [text("span", product.name), text("small", price(product))];
      if (product.image) {
        const image = document.createElement("img");
        image.src = Object.values(product.image.urls)[0];
        image.alt = "";
        image.width = 40;
        image.height = 40;
        parts.unshift(image);
      }
      option(`/products/${product.slug}`, ...parts);
    }
    const count = list.children.length;
    list.hidden = count === 0;
    input.setAttribute("aria-expanded", String(count > 0));
    status.textContent = count === 1 ? "1 suggestion" : `${count} suggestions`;
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const typed = input.value.trim();
    try {
      const answer = await fetch(`/api/products/suggest?q=${encodeURIComponent(typed)}`, { signal });
      if (answer.ok) {
        const found = await answer.json();
        if (!signal.aborted) show(found);
      }
    } catch {
      // Stale, or the shop cannot be reached: the form still searches.
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < 2) close();
    else timer = setTimeout(ask, 150);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      // The first Escape closes the list, the next one is the browser's.
      event.preventDefault();
      close();
    } else if (!list.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      if (event.key === "ArrowDown") choose(chosen + 1);
      else choose(chosen < 0 ? list.children.length - 1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      location.assign(list.children[chosen].dataset.href);
    } else if (event.key === "Tab") close();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) location.assign(item.dataset.href);
  });
  input.addEventListener("blur", close);
  form.addEventListener("submit", close);
})();
