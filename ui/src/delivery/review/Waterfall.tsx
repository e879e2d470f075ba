import { Box, Button, Stack, Table, Text } from "@chakra-ui/react";
import { Count } from "~/parts/numbers";
import { ScrollBox } from "~/parts/ScrollBox";
import { Section } from "~/parts/Section";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import { ExcludedList } from "./ExcludedList";
import type { Reason, Review } from "./shapes";

/** From the targeted down to those who get a text, reason by reason; each opens its list. */
export function Waterfall({ review }: { review: Review }) {
  const say = useSay();
  const [address, change] = useAddress();
  const asked = address.get("reason");
  const open = review.waterfall.find(({ reason }) => reason === asked)?.reason ?? null;
  const whole = review.targeted || 1;
  const close = () => {
    change({ reason: null });
    document.getElementById(`smsflow-reason-${open}`)?.focus();
  };
  return (
    <Section title={say("review.who")}>
      {review.waterfall.length === 0 && review.targeted > 0 && (
        <Text>{say("review.everybody")}</Text>
      )}
      <ScrollBox label={say("review.who")}>
        <Table.Root size="sm">
          <Head />
          <Table.Body>
            <Total name={say("review.targeted")} count={review.targeted} share={1} />
            {review.waterfall.map((step) => (
              <Step
                key={step.reason}
                step={step}
                whole={whole}
                isOpen={step.reason === open}
                onPress={() => change({ reason: step.reason === open ? null : step.reason })}
              />
            ))}
            <Total
              name={say("review.to_deliver")}
              count={review.to_deliver}
              share={review.to_deliver / whole}
            />
          </Table.Body>
        </Table.Root>
      </ScrollBox>
      {open && <ExcludedList key={open} review={review} reason={open} onClose={close} />}
    </Section>
  );
}

function Head() {
  const say = useSay();
  return (
    <Table.Header>
      <Table.Row>
        <Table.ColumnHeader scope="col">{say("review.reason")}</Table.ColumnHeader>
        <Table.ColumnHeader scope="col" textAlign="end">
          {say("review.recipients")}
        </Table.ColumnHeader>
        <Table.ColumnHeader scope="col" width="45%">
          {say("review.left")}
        </Table.ColumnHeader>
      </Table.Row>
    </Table.Header>
  );
}

function Total({ name, count, share }: { name: string; count: number; share: number }) {
  return (
    <Table.Row>
      <Table.ColumnHeader scope="row">{name}</Table.ColumnHeader>
      <Table.Cell textAlign="end" fontWeight="semibold" fontVariantNumeric="tabular-nums">
        <Count value={count} />
      </Table.Cell>
      <Table.Cell>
        <Bar share={share} />
      </Table.Cell>
    </Table.Row>
  );
}

type StepProps = {
  step: { reason: Reason; excluded: number; left: number };
  whole: number;
  isOpen: boolean;
  onPress: () => void;
};

function Step({ step, whole, isOpen, onPress }: StepProps) {
  const say = useSay();
  return (
    <Table.Row>
      <Table.ColumnHeader scope="row" fontWeight="normal">
        <Button
          id={`smsflow-reason-${step.reason}`}
          variant="plain"
          size="sm"
          px={0}
          height="auto"
          textDecoration="underline"
          textAlign="start"
          whiteSpace="normal"
          aria-expanded={isOpen}
          onClick={onPress}
        >
          {say(`review.reason_${step.reason}`)}
        </Button>
      </Table.ColumnHeader>
      <Table.Cell textAlign="end" fontVariantNumeric="tabular-nums" whiteSpace="nowrap">
        {"−"}
        <Count value={step.excluded} />
      </Table.Cell>
      <Table.Cell>
        <Stack gap={1}>
          <Bar share={step.excluded / whole} from={step.left / whole} palette="orange" />
          <Box fontSize="xs" color="fg.muted" fontVariantNumeric="tabular-nums">
            {say("review.still", { count: step.left })}
          </Box>
        </Stack>
      </Table.Cell>
    </Table.Row>
  );
}
