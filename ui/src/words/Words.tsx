import { type ReactNode, useMemo } from "react";
import { IntlProvider } from "react-intl";
import { catalogue } from "./catalogue";

/** The language that the person chose in Airflow, else that of the browser. */
function languageOf(): string {
  return localStorage.getItem("i18nextLng") ?? document.documentElement.lang ?? navigator.language;
}

/** Give everything below the words of the reader's language: English, or French. */
export function Words({ children }: { children: ReactNode }) {
  const language = languageOf();
  const messages = useMemo(() => catalogue(language), [language]);
  // Numbers and dates follow the browser where it speaks the same language: fr-CA is no fr-FR.
  const locale = navigator.languages.find((one) => one.startsWith(messages.language));
  return (
    <IntlProvider locale={locale ?? messages.language} messages={messages.texts} defaultLocale="en">
      {children}
    </IntlProvider>
  );
}
