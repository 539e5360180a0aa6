// Filters and search of the index. Without this script all agents are shown.

const find = (id) => document.getElementById(id);
const [query, family, memory, plays] = ["query", "family", "memory", "plays"].map(find);
const cards = [...document.querySelectorAll(".card")];

/** Every word must occur; spelling of separators does not matter. */
function matches(card) {
  const { dataset } = card;
  const words = normal(query.value).split(" ").filter(Boolean);
  return (
    words.every((word) => normal(dataset.text).includes(word)) &&
    (!family.value || dataset.family === family.value) &&
    (!memory.value || dataset.kind === memory.value) &&
    (!plays.checked || dataset.plays === "yes")
  );
}

const normal = (text) => text.toLowerCase().replace(/[-_/]+/g, " ");

function update() {
  let shown = 0;
  for (const card of cards) {
    card.hidden = !matches(card);
    shown += card.hidden ? 0 : 1;
  }
  find("count").textContent = `${shown} agent${shown === 1 ? "" : "s"}`;
  find("nothing").hidden = shown > 0;
}

find("filters").addEventListener("input", update);
find("filters").addEventListener("submit", (event) => event.preventDefault());
find("reset").addEventListener("click", () => {
  find("filters").reset();
  update();
  query.focus();
});
update();
