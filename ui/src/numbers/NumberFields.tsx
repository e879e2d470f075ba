import { Field, Input, SimpleGrid } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import type { Asked } from "./calls";

type Props = { value: Asked; onChange: (value: Asked) => void; isRequired?: boolean };

/** A number, and the country it belongs to when it is written the national way. */
export function NumberFields({ value, onChange, isRequired = true }: Props) {
  const say = useSay();
  return (
    <SimpleGrid columns={{ base: 1, sm: 2 }} gap={3} alignItems="start">
      <Field.Root required={isRequired}>
        <Field.Label>{say("numbers.number")}</Field.Label>
        <Input
          type="tel"
          autoComplete="off"
          placeholder="+33 6 12 34 56 78"
          value={value.number}
          onChange={(event) => onChange({ ...value, number: event.target.value })}
        />
      </Field.Root>
      <Field.Root>
        <Field.Label>{say("numbers.region")}</Field.Label>
        <Input
          maxLength={2}
          autoComplete="off"
          value={value.region ?? ""}
          onChange={(event) =>
            onChange({ ...value, region: event.target.value.trim().toUpperCase() || null })
          }
        />
        <Field.HelperText>{say("numbers.region_help")}</Field.HelperText>
      </Field.Root>
    </SimpleGrid>
  );
}
