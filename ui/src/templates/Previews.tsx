import { Alert, Heading, Stack, Text } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import { Phone } from "./Phone";
import type { Tried } from "./useTried";

type Props = { tried: Tried; maxParts: number };

/** What people would read, row by row; or why the text cannot be used. */
export function Previews({ tried, maxParts }: Props) {
  const say = useSay();
  if (tried.problems.length > 0) {
    return (
      <Alert.Root status="error" alignItems="start">
        <Alert.Indicator />
        <Stack gap={1}>
          <Alert.Title>{say("templates.unusable")}</Alert.Title>
          {tried.problems.map((one) => (
            <Text key={one} fontFamily="mono" fontSize="sm">
              {one.replace(/^text:/, "")}
            </Text>
          ))}
        </Stack>
      </Alert.Root>
    );
  }
  return (
    <Stack gap={4}>
      <Heading as="h2" size="md">
        {say("templates.preview")}
      </Heading>
      <Text color="fg.muted" fontSize="sm">
        {tried.splitting
          ? say("templates.split_by", { gateway: tried.splitting })
          : say("templates.split_worst")}
      </Text>
      {tried.rows.map((row) => (
        <Phone key={row.row} row={row} currency={tried.currency} maxParts={maxParts} />
      ))}
    </Stack>
  );
}
