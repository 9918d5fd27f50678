"use strict";

const connection = document.getElementById("connection");
const source = new EventSource("/api/events");

source.onopen = () => { connection.textContent = "live"; };
source.onerror = () => { connection.textContent = "connecting again"; };

source.addEventListener("partitions", (event) => {
  const rows = JSON.parse(event.data).partitions.map((p) => {
    const row = document.createElement("tr");
    for (const value of [p.partition, p.state, p.offset, p.lag, p.duplicates]) {
      row.insertCell().textContent = value.toLocaleString("en");
    }
    return row;
  });
  document.getElementById("partitions").replaceChildren(...rows);
});

// Another fragment makes the browser ask again; a 304 costs nothing.
source.addEventListener("files", (event) => {
  document.getElementById("picture").src = "/month.svg#" + JSON.parse(event.data).revision;
});
