import { useIntl } from "react-intl";

/** A count with the separators of the reader's language. */
export function Count({ value }: { value: number }) {
  return <>{useIntl().formatNumber(value)}</>;
}

/** A share of 0 to 1 as a percentage, one digit behind the point where it says something. */
export function Share({ value }: { value: number }) {
  return (
    <>
      {useIntl().formatNumber(value, {
        style: "percent",
        maximumFractionDigits: value < 0.995 ? 1 : 0,
      })}
    </>
  );
}

/** An amount, which the API writes as decimal text so that nothing is lost, in its currency. */
export function Money({ amount, currency }: { amount: string; currency: string }) {
  return <>{useIntl().formatNumber(Number(amount), { style: "currency", currency })}</>;
}
