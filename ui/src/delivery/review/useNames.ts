import { useMemo } from "react";
import { useIntl } from "react-intl";
import { useSay } from "~/words/useSay";

const PARTS = /^(\d+) parts?$/;
const SAID = new Set(["longest", "shortest", "dearest", "gsm7", "ucs2"]);

/** Write codes of the API as people say them: countries, languages, what a sample stands for. */
export function useNames() {
  const { locale } = useIntl();
  const say = useSay();
  return useMemo(() => {
    const countries = new Intl.DisplayNames([locale], { type: "region", fallback: "code" });
    const languages = new Intl.DisplayNames([locale], { type: "language", fallback: "code" });
    const language = (code: string) => (code ? named(languages, code) : say("review.no_language"));
    return {
      country: (code: string) => (code ? named(countries, code) : say("review.no_country")),
      language,
      sender: (name: string) => name || say("review.default_sender"),
      encoding: (code: string) => say(`review.encoding_${code}`),
      pick: (pick: string) => {
        const parts = PARTS.exec(pick)?.[1];
        if (parts) {
          return say("review.parts_of", { parts: Number(parts) });
        }
        return SAID.has(pick) ? say(`review.pick_${pick}`) : language(pick);
      },
    };
  }, [locale, say]);
}

function named(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}
