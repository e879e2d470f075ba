import { useCallback } from "react";
import { useIntl } from "react-intl";

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** Write seconds as people say them, in its two largest units: "1 hour 30 minutes". */
export function useDuration(): (seconds: number) => string {
  const intl = useIntl();
  return useCallback(
    (seconds) => {
      let rest = Math.max(1, Math.ceil(seconds));
      const said: string[] = [];
      for (const [unit, size] of UNITS) {
        const count = Math.floor(rest / size);
        if (count > 0 && said.length < 2) {
          said.push(intl.formatNumber(count, { style: "unit", unit, unitDisplay: "long" }));
          rest -= count * size;
        }
      }
      return said.join(" ");
    },
    [intl],
  );
}
