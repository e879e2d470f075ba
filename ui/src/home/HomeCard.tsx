import { Box, Heading, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { RowAction } from "~/deliveries/RowAction";
import { Standing } from "~/deliveries/Standing";
import { type Row, useSummary } from "~/deliveries/useDeliveries";
import { deliveryAddress, ROOT } from "~/shell/addresses";
import { useSay } from "~/words/useSay";

/** What needs somebody and what is being sent, on Airflow's home page. Quiet if there is nothing. */
export function HomeCard() {
  const say = useSay();
  const { data } = useSummary({ most: 5, isQuiet: true });
  const needy = data?.attention ?? [];
  const seen = new Set(needy.map((row) => row.delivery));
  const moving = (data?.sending ?? []).filter((row) => !seen.has(row.delivery));
  if (needy.length + moving.length === 0) {
    return null;
  }
  return (
    <Stack borderWidth="1px" borderRadius="md" p={4} gap={3} as="section">
      <HStack justify="space-between">
        <Heading as="h2" size="md">
          {say("home.title")}
        </Heading>
        <Link asChild variant="underline">
          <RouterLink to={`${ROOT}/deliveries`}>{say("home.see_all")}</RouterLink>
        </Link>
      </HStack>
      <Part title={say("home.attention")} rows={needy} />
      <Part title={say("home.sending")} rows={moving} />
    </Stack>
  );
}

function Part({ title, rows }: { title: string; rows: Row[] }) {
  if (rows.length === 0) {
    return null;
  }
  return (
    <Box>
      <Heading as="h3" size="sm" mb={1}>
        {title}
      </Heading>
      <Stack as="ul" gap={0} listStyleType="none" aria-label={title}>
        {rows.map((row) => (
          <li key={row.delivery}>
            <Line row={row} />
          </li>
        ))}
      </Stack>
    </Box>
  );
}

function Line({ row }: { row: Row }) {
  return (
    <HStack borderTopWidth="1px" py={2} gap={4} align="start" wrap="wrap">
      <Box flex={1} minW="10rem">
        <Link asChild fontWeight="semibold">
          <RouterLink to={deliveryAddress(row.delivery)}>{row.label || row.delivery}</RouterLink>
        </Link>
        <Text fontSize="sm" color="fg.muted">
          {row.dag_id}
        </Text>
      </Box>
      <Box width="12rem">
        <Standing row={row} />
      </Box>
      <Box width="5rem">
        <RowAction row={row} />
      </Box>
    </HStack>
  );
}
