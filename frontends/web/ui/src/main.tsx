import { render } from "preact";

import { App } from "./app";
import { start } from "./session";
import "./style.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
void start();
