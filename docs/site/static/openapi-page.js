// Shows window.openapi in Swagger UI, and keeps it as dark or light as the page.
(() => {
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    const theme = document.body.dataset.theme;
    document.documentElement.classList.toggle("dark-mode", theme === "dark" || (theme !== "light" && preferred.matches));
  };
  addEventListener("DOMContentLoaded", () => {
    follow();
    preferred.addEventListener("change", follow);
    new MutationObserver(follow).observe(document.body, { attributeFilter: ["data-theme"] });
    const ui = SwaggerUIBundle({
      spec: window.openapi,
      dom_id: "#swagger-ui",
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      // The document describes any registry, and a page from a file may talk to none.
      supportedSubmitMethods: [],
      validatorUrl: null,
    });
    // References are resolved beside an address, which has to be one of HTTP; nothing is asked there.
    if (location.protocol === "file:") ui.specActions.updateUrl("http://openapi.invalid/openapi.json");
  });
})();
