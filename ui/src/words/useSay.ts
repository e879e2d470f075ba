import { useCallback } from "react";
import { useIntl } from "react-intl";

export type Values = Record<string, string | number | Date | null | undefined>;
export type Say = (key: string, values?: Values) => string;

/** A function that says a text of the catalogue: `say("navigation.deliveries")`. */
export function useSay(): Say {
  const intl = useIntl();
  return useCallback((key, values) => intl.formatMessage({ id: key }, values), [intl]);
}
