import { useIntl } from "react-intl";
import { Kpi, Kpis } from "~/parts/Kpi";
import { Count, Share } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import type { Changes, Review } from "./shapes";

/** From this amount on, hundredths are left out. */
const WHOLE = 100_000;

/** The figures of a preparation, the ones that decide first. */
export function Tiles({ review }: { review: Review }) {
  const say = useSay();
  const intl = useIntl();
  const excluded = review.targeted - review.to_deliver;
  const each = review.to_deliver ? review.parts / review.to_deliver : 0;
  return (
    <Kpis>
      <Kpi label={say("review.targeted")} value={<Count value={review.targeted} />} />
      <Kpi
        label={say("review.to_deliver")}
        value={<Count value={review.to_deliver} />}
        note={<ShareOf part={review.to_deliver} whole={review.targeted} />}
      />
      <Kpi
        label={say("review.excluded")}
        value={<Count value={excluded} />}
        note={<ShareOf part={excluded} whole={review.targeted} />}
      />
      <Kpi
        label={say("review.parts")}
        value={<Count value={review.parts} />}
        note={
          each > 0 &&
          say("review.parts_each", {
            parts: intl.formatNumber(each, { maximumFractionDigits: 2 }),
          })
        }
      />
      <Cost review={review} />
      <LastRun changes={review.changes} />
    </Kpis>
  );
}

function ShareOf({ part, whole }: { part: number; whole: number }) {
  return whole > 0 ? <Share value={part / whole} /> : null;
}

function Cost({ review: { cost } }: { review: Review }) {
  const say = useSay();
  const intl = useIntl();
  if (!cost?.total) {
    return <Kpi label={say("review.cost")} value="–" note={say("review.cost_unknown")} />;
  }
  // Whole units once they are many: it says as much, and fits.
  const digits = Number(cost.total) < WHOLE ? {} : { maximumFractionDigits: 0 };
  const style = { style: "currency", currency: cost.currency, ...digits } as const;
  const amount = intl.formatNumber(Number(cost.total), style);
  const asOf = cost.as_of && intl.formatDate(cost.as_of, { dateStyle: "medium", timeZone: "UTC" });
  return (
    <Kpi
      label={say(cost.is_complete ? "review.cost" : "review.cost_least")}
      value={amount}
      note={asOf && say("review.prices_of", { date: asOf })}
    />
  );
}

function LastRun({ changes }: { changes: Changes | null }) {
  const say = useSay();
  const intl = useIntl();
  const label = say("review.last_run");
  if (!changes) {
    return <Kpi label={label} value={say("review.first_run")} note={say("review.no_former")} />;
  }
  if (changes.is_same) {
    return <Kpi label={label} value={say("review.same")} note={say("review.same_content")} />;
  }
  const people = changes.figures.to_deliver;
  const before = people?.before ?? 0;
  const grown = (people?.difference ?? 0) / (before || 1);
  const value = before
    ? intl.formatNumber(grown, {
        style: "percent",
        maximumFractionDigits: 1,
        signDisplay: "exceptZero",
      })
    : intl.formatNumber(people?.difference ?? 0, { signDisplay: "exceptZero" });
  const text = changes.template.length ? "review.people_text_new" : "review.people_text_same";
  return <Kpi label={label} value={value} note={say(text)} />;
}
