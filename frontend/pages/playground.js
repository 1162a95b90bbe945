// The playground: a small network learns points in the plane, in the browser alone.

import { byId, h } from "../lib/dom.js";
import { startShell } from "../lib/shell.js";

startShell();
byId("page").append(h("header", { class: "page-head" }, h("h1", {}, "Playground")));
