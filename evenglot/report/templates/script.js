(function () {
  "use strict";
  // Search fields need this script, so they stay hidden without it.
  document.querySelectorAll("input.search").forEach(function (field) {
    var place = field.closest(".tabled");
    field.hidden = false;
    field.addEventListener("input", function () {
      var wanted = field.value.trim().toLocaleLowerCase();
      place.querySelectorAll("tbody tr:not(.group), .panel, details.group").forEach(function (row) {
        var label = row.querySelector("th, td, p, summary");
        var text = (label ? label.textContent : "") + " " + (row.title || "");
        row.hidden = wanted !== "" && text.toLocaleLowerCase().indexOf(wanted) < 0;
      });
      place.querySelectorAll("tr.group").forEach(function (row) { row.hidden = wanted !== ""; });
    });
  });
  // What is folded away on the screen is still wanted on paper.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll(".fold.group").forEach(function (fold) { fold.open = true; });
  });
})();
