import { defineConfig } from "vite";

// Relative URLs, so that the page works under any mount prefix; the server ships the built files.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/promptvision_web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    // Browsers with light-dark() of their own: what replaces it follows the system alone, not the chosen theme.
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
  },
});
