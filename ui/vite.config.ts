import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** What Airflow's own page has loaded already, and lends to plugins, by the global that holds it. */
const LENT = {
  react: "React",
  "react-dom": "ReactDOM",
  "react/jsx-runtime": "ReactJSXRuntime",
  "react-router-dom": "ReactRouterDOM",
  "@chakra-ui/react": "ChakraUI",
};

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  define: mode === "test" ? {} : { "process.env.NODE_ENV": '"production"' },
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../smsflow_provider/plugins/www/dist",
    emptyOutDir: true,
    target: "es2022",
    // One file, whatever its parts: Airflow loads one address.
    lib: {
      entry: "src/main.tsx",
      name: "SmsflowPlugin",
      formats: ["umd"],
      fileName: () => "smsflow.js",
    },
    rollupOptions: { external: Object.keys(LENT), output: { globals: LENT } },
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
}));
