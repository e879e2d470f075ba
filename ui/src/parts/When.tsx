import { useEffect, useState } from "react";
import { useIntl } from "react-intl";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** What just was must not seem to come, where the server's clock is ahead of the browser's. */
const CLOCKS_DIFFER_S = 5;

/** A moment as "4 minutes ago"; the absolute one, with its time zone, on hover and to readers. */
export function When({ at }: { at: string }) {
  const intl = useIntl();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  const moment = new Date(at);
  const apart = Math.round((moment.getTime() - now) / 1000);
  const seconds = apart > 0 && apart < CLOCKS_DIFFER_S ? 0 : apart;
  const [unit, size] =
    STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? (["second", 1] as const);
  const absolute = intl.formatDate(moment, { dateStyle: "full", timeStyle: "long" });
  const shown =
    Math.abs(seconds) > 7 * 86_400
      ? intl.formatDate(moment, { dateStyle: "medium" })
      : intl.formatRelativeTime(Math.trunc(seconds / size), unit, { numeric: "auto" });
  return (
    <time dateTime={at} title={absolute}>
      {shown}
    </time>
  );
}
