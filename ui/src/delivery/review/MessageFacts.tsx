import { DataList, Stack, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { Count } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import { Fact } from "./Fact";
import { foreignOf, hasFewForeign } from "./pieces";
import { ShowNumber } from "./ShowNumber";
import type { Message, Review } from "./shapes";
import { useNames } from "./useNames";

/** Different characters that are named at the most. */
const NAMED = 12;

/** What one message is made of and costs, and what would make it shorter. */
export function MessageFacts({ message, review }: { message: Message; review: Review }) {
  const say = useSay();
  const names = useNames();
  return (
    <Stack gap={3}>
      <DataList.Root orientation="horizontal" size="sm" gap={1}>
        <Fact label={say("review.column_recipient")}>{message.recipient_id}</Fact>
        <Fact label={say("review.column_phone")}>
          <ShowNumber message={message} review={review} />
        </Fact>
        <Fact label={say("review.country")}>{names.country(message.region)}</Fact>
        {message.language && (
          <Fact label={say("review.language")}>{names.language(message.language)}</Fact>
        )}
        <Fact label={say("review.encoding")}>{names.encoding(message.encoding)}</Fact>
        <Fact label={say("review.length")}>
          {say("review.units", { units: message.units, room: message.room })}
          {" · "}
          {say("review.parts_of", { parts: message.parts })}
        </Fact>
        <Fact label={say("review.cost")}>
          {message.cost === null ? (
            say("review.no_price")
          ) : (
            <Price amount={message.cost} currency={message.currency} />
          )}
        </Fact>
      </DataList.Root>
      {message.encoding === "ucs2" && <WhyUcs2 message={message} />}
    </Stack>
  );
}

/** What one message costs: to the hundredth of a cent, since it is a few cents. */
function Price({ amount, currency }: { amount: string; currency: string }) {
  return (
    <>
      {useIntl().formatNumber(Number(amount), {
        style: "currency",
        currency,
        maximumFractionDigits: 4,
      })}
    </>
  );
}

/** Which characters take the text out of GSM 7-bit, and which setting would put it back. */
function WhyUcs2({ message }: { message: Message }) {
  const say = useSay();
  const characters = foreignOf(message);
  const more = characters.length - NAMED;
  // Nobody wants a whole text of another script spelled in Latin letters.
  const cheaper = hasFewForeign(message) ? message.cheaper : [];
  return (
    <Stack gap={1} borderStartWidth="4px" borderColor="orange.solid" ps={3} fontSize="sm">
      <Text>
        {hasFewForeign(message)
          ? say("review.forced_by", { characters: characters.slice(0, NAMED).join(" ") })
          : say("review.forced_by_script")}
        {hasFewForeign(message) && more > 0 && (
          <>
            {" +"}
            <Count value={more} />
          </>
        )}
      </Text>
      {cheaper.map((one) => (
        <Text key={one.transliteration}>
          {say(`review.cheaper_${one.transliteration}`, {
            parts: one.parts,
            now: message.parts,
          })}
        </Text>
      ))}
      {cheaper.length === 0 && hasFewForeign(message) && <Text>{say("review.not_cheaper")}</Text>}
    </Stack>
  );
}
