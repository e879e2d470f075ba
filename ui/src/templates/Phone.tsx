import { Badge, Box, HStack, Separator, Stack, Text } from "@chakra-ui/react";
import { Fragment } from "react";
import { Money } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import { partsOf } from "./rows";
import type { Tried } from "./useTried";

type Row = Tried["rows"][number];
type Props = { row: Row; currency: string; maxParts: number };

/** One text as a phone shows it, with its length, its parts and what makes it dear. */
export function Phone({ row, currency, maxParts }: Props) {
  const say = useSay();
  if (row.problem !== "") {
    return (
      <Box borderWidth="1px" borderRadius="md" p={4}>
        <Text fontWeight="medium">{say("templates.row", { row: row.row })}</Text>
        <Text color="fg.error">{say("templates.no_text", { problem: row.problem })}</Text>
      </Box>
    );
  }
  const parts = partsOf(row.text, row.part_starts);
  return (
    <Box borderWidth="1px" borderRadius="2xl" p={4} maxW="26rem" as="article">
      <Text color="fg.muted" fontSize="sm" textAlign="center">
        {row.sender || say("templates.gateways_own")}
      </Text>
      <Box bg="bg.muted" borderRadius="xl" px={4} py={3} my={2}>
        {parts.map((part, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts have an order and no name
          <Fragment key={place}>
            {place > 0 && (
              <HStack my={1}>
                <Separator flex={1} borderColor="border.emphasized" />
                <Text fontSize="xs" color="fg.muted">
                  {say("templates.part", { part: place + 1 })}
                </Text>
                <Separator flex={1} borderColor="border.emphasized" />
              </HStack>
            )}
            <Text whiteSpace="pre-wrap" overflowWrap="anywhere">
              {part}
            </Text>
          </Fragment>
        ))}
      </Box>
      <Measures row={row} currency={currency} maxParts={maxParts} />
    </Box>
  );
}

function Measures({ row, currency, maxParts }: Props) {
  const say = useSay();
  return (
    <Stack gap={1} fontSize="sm">
      <HStack wrap="wrap">
        <Badge colorPalette={row.is_too_long ? "red" : "gray"}>
          {say("templates.parts", { count: row.parts })}
        </Badge>
        <Badge colorPalette={row.encoding === "ucs2" ? "orange" : "gray"}>
          {row.encoding === "ucs2" ? "UCS-2" : "GSM-7"}
        </Badge>
        <Text>
          {say("templates.length", { characters: [...row.text].length, units: row.units })}
        </Text>
        {row.cost && currency && <Money amount={row.cost} currency={currency} />}
      </HStack>
      {row.is_too_long && (
        <Text color="fg.error">{say("templates.too_long", { most: maxParts })}</Text>
      )}
      {row.is_cut && <Text color="fg.warning">{say("templates.is_cut")}</Text>}
      {row.sender_problem && (
        <Text color="fg.error">
          {say("templates.sender_problem", { problem: row.sender_problem })}
        </Text>
      )}
      {row.unicode_count > 0 && (
        <Text>
          {say("templates.unicode", {
            count: row.unicode_count,
            characters: [...new Set(row.unicode.map((one) => one.character))].join(" "),
          })}
        </Text>
      )}
    </Stack>
  );
}
