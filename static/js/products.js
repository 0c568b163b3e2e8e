// The list of products for staff: ticks all rows of the page, counts what is ticked, and goes on
// by itself where many products are changed a part at a time. All of it works without.
"use strict";

const bar = document.getElementById("bulk");
if (bar) {
  const rows = [...document.querySelectorAll("input[name=id][form=bulk]")];
  const all = bar.querySelector("[data-all]");
  const count = bar.querySelector("[data-count]");
  const scope = bar.elements.namedItem("scope");
  const tell = () => {
    const ticked = rows.filter((row) => row.checked).length;
    all.checked = ticked > 0 && ticked === rows.length;
    all.indeterminate = ticked > 0 && ticked < rows.length;
    count.textContent = ticked ? `${ticked} ticked` : "";
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    for (const row of rows) row.checked = all.checked;
    tell();
  });
  for (const row of rows) {
    row.addEventListener("change", () => {
      scope.value = "ticked";
      tell();
    });
  }
  tell();
}

const next = document.getElementById("go-on");
if (next) next.requestSubmit();
